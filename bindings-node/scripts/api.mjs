// Lists what the package exports, and the members of each name, as JSON: what scripts/parity holds against the core. A class has its methods and
// properties, an interface its properties, a union the names that its literals or its objects' `type` have.

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import ts from 'typescript';

const entry = join(dirname(fileURLToPath(import.meta.url)), '..', 'dist', 'index.d.ts');
const program = ts.createProgram([entry], { module: ts.ModuleKind.Node16, moduleResolution: ts.ModuleResolutionKind.Node16, types: ['node'] });
const checker = program.getTypeChecker();

const names = (type) =>
  checker
    .getPropertiesOfType(type)
    .map((property) => property.name)
    .filter((name) => !/^(__|#)/.test(name));
const aliased = (symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol);

function ofType(type) {
  if (!type.isUnion()) return type.isStringLiteral() ? [type.value] : names(type);
  return type.types.flatMap((one) => {
    if (one.isStringLiteral()) return [one.value];
    const kind = checker.getPropertyOfType(one, 'type');
    const literal = kind && checker.getTypeOfSymbol(kind);
    return literal?.isStringLiteral() ? [literal.value, ...names(one)] : [];
  });
}

const api = {};
for (const exported of checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(entry)))) {
  const symbol = aliased(exported);
  const members = new Set();
  if (symbol.flags & (ts.SymbolFlags.Class | ts.SymbolFlags.Interface | ts.SymbolFlags.TypeAlias)) {
    ofType(checker.getDeclaredTypeOfSymbol(symbol)).forEach((name) => members.add(name));
  }
  if (symbol.flags & ts.SymbolFlags.Value && !(symbol.flags & ts.SymbolFlags.Function)) {
    const type = checker.getTypeOfSymbol(symbol);
    // Of a class, its static members; of a namespace, all; a constant of a plain type has none of its own.
    if (type.flags & ts.TypeFlags.Object && !checker.isArrayType(type)) names(type).forEach((name) => members.add(name));
  }
  api[exported.name] = [...members].filter((name) => name !== 'prototype').sort();
}
console.log(JSON.stringify(api, null, 1));
