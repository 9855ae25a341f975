"""Application Insights: its wire format, its queries and its client, the same for both adapters."""
