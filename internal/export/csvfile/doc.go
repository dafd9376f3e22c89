// Package csvfile writes tables as CSV by RFC 4180, in UTF-8, with a header.
//
// Values that a spreadsheet would take for a formula come from providers, where an
// attacker may have chosen them. A text that begins with one of = + - @, a tab, a
// carriage return or an apostrophe gets an apostrophe before it: spreadsheets show
// it as text, and a program that takes one leading apostrophe away has the value
// as it was. Lists are written as JSON, moments by RFC 3339 in UTC, nothing as an
// empty cell.
package csvfile
