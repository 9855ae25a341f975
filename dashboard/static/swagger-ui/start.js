// Starts Swagger UI on the document beside this page. What the page asked for is in its address.
"use strict";

const asked = new URLSearchParams(window.location.search);
const ticket = asked.get("ticket");

document.documentElement.classList.toggle("dark-mode", asked.get("theme") === "dark");

window.ui = SwaggerUIBundle({
  url: "swagger.json",
  dom_id: "#documentation",
  docExpansion: "full",
  defaultModelsExpandDepth: 0,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  validatorUrl: null,
  requestInterceptor: (request) => {
    // A ticket stands for a key that stays on the server.
    if (ticket && !request.headers.Authorization) {
      request.headers["X-Dashboard-Ticket"] = ticket;
    }
    return request;
  },
});
