// Package jsonlines writes tables as one JSON object a line, in UTF-8. Every object
// has all columns, in the table's order; what there is nothing of is null.
package jsonlines
