// Shows the contract that the service hands out; asks nothing of anybody else.
SwaggerUIBundle({
  dom_id: "#contract",
  url: "openapi.json",
  deepLinking: true,
  docExpansion: "none",
  filter: true,
  persistAuthorization: false,
  validatorUrl: null,
  queryConfigEnabled: false,
  syntaxHighlight: { activated: false },
});
