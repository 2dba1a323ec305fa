// Reads {tables: {TABLE: {COLUMN: TYPE}}, queries: {NAME: TEXT}} from standard input, and prints what Microsoft's parser
// finds wrong with each query, and the columns that it returns: {NAME: {problems: [TEXT], columns: {COLUMN: TYPE}}}.
"use strict";

const { readFileSync } = require("node:fs");

require("@kusto/language-service-next/bridge.min.js");
require("@kusto/language-service-next/Kusto.Language.Bridge.min.js");

const { GlobalState, KustoCode, Symbols } = globalThis.Kusto.Language;

const all = (list) => Array.from({ length: list.Count }, (_, index) => list.getItem(index));

const { tables, queries } = JSON.parse(readFileSync(0, "utf8"));
const members = Object.entries(tables).map(([name, columns]) => {
  const described = Object.entries(columns).map(([column, type]) => `['${column}']:${type}`);
  return Symbols.TableSymbol.From(`(${described.join(", ")})`).WithName(name);
});
const workspace = new Symbols.DatabaseSymbol.$ctor1("workspace", members, false);
const globals = GlobalState.Default.WithDatabase(workspace);
const found = {};
for (const [name, text] of Object.entries(queries)) {
  const code = KustoCode.ParseAndAnalyze(text, globals);
  const columns = code.ResultType?.Columns ? all(code.ResultType.Columns) : [];
  found[name] = {
    problems: all(code.GetDiagnostics()).map(({ Severity, Message, Start }) => `${Severity} at ${Start}: ${Message}`),
    columns: Object.fromEntries(columns.map((column) => [column.Name, column.Type.Name])),
  };
}
process.stdout.write(JSON.stringify(found));
