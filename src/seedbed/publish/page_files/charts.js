// Draws every chart of the page from its specification. The interpreter evaluates Vega's expressions
// (`ast`), so that the page's policy need not allow code made from text; styles stand in the sheet.
const drawn = JSON.parse(document.getElementById("charts").textContent).map(({ name, specification }) =>
  vegaEmbed(document.querySelector(`[data-chart="${CSS.escape(name)}"] .plot`), specification, {
    actions: false,
    ast: true,
    defaultStyle: false,
    renderer: "svg",
    tooltip: { disableDefaultStyle: true },
  }),
);
window.charted = Promise.all(drawn).then(() => null);
