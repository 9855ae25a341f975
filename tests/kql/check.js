// Checks KQL with Microsoft's own parser and analyser.
//
// stdin:  {"schemas": {name: {table: "column:type, …"}}, "queries": [{"schema": name, "text": kql}]}
// stdout: one object per query: {"errors": ["KS142 …"], "columns": {"t": "datetime", …}}
"use strict";

const path = require("path");

const folder = path.dirname(require.resolve("@kusto/language-service-next/package.json"));
require(path.join(folder, "bridge.min.js")); // defines Bridge and System
require(path.join(folder, "Kusto.Language.Bridge.min.js")); // defines Kusto

const { GlobalState, KustoCode, Symbols } = Kusto.Language;

function database(tables) {
  const symbols = Object.entries(tables).map(
    ([name, columns]) => new Symbols.TableSymbol.$ctor7(name, `(${columns})`, null),
  );
  const all = System.Array.init(symbols, Symbols.Symbol);
  return GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol.ctor("telemetry", all));
}

function verdict(text, globals) {
  const code = KustoCode.ParseAndAnalyze(text, globals);
  const errors = Bridge.toArray(code.GetDiagnostics())
    .filter((found) => found.Severity === "Error")
    .map((found) => `${found.Code} ${found.Message} at “${text.substr(found.Start, found.Length)}”`);
  const answer = code.ResultType;
  const columns = answer && answer.Columns ? Bridge.toArray(answer.Columns) : [];
  return {
    errors,
    columns: Object.fromEntries(columns.map((column) => [column.Name, column.Type.Name])),
  };
}

const { schemas, queries } = JSON.parse(require("fs").readFileSync(0, "utf8"));
const globals = Object.fromEntries(
  Object.entries(schemas).map(([name, tables]) => [name, database(tables)]),
);
const verdicts = queries.map(({ schema, text }) => verdict(text, globals[schema]));
process.stdout.write(JSON.stringify(verdicts));
