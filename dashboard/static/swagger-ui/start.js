// Starts Swagger UI on the document beside this page. What the page asked for is in its address.
"use strict";

const asked = new URLSearchParams(window.location.search);
const ticket = asked.get("ticket");

document.documentElement.classList.toggle("dark-mode", asked.get("theme") === "dark");

// The page around this frame already says which deployment it is and where it is.
const nothing = () => () => null;
const withoutHead = () => ({
  wrapComponents: { InfoContainer: nothing, ServersContainer: nothing },
});

window.ui = SwaggerUIBundle({
  url: "swagger.json",
  dom_id: "#documentation",
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  validatorUrl: null,
  plugins: [withoutHead],
  requestInterceptor: (request) => {
    // A ticket stands for a key that stays on the server.
    if (ticket && !request.headers.Authorization) {
      request.headers["X-Dashboard-Ticket"] = ticket;
    }
    return request;
  },
});
