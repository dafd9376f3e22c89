// Package form turns what a person gives on a command line, in files, in the
// environment and at a prompt into a configuration or scope that fits an
// integration's JSON Schema.
//
// The schema says what each field is: texts such as "true" or "1,2" become the
// JSON value of the field's type, and a field marked writeOnly is a secret, which
// is never taken from an argument because arguments are shown to every process
// of the machine. The form finds what is missing and asks for it where there is
// somebody to ask, again when an answer does not fit its field. Values that were
// given otherwise are judged by type only: the server judges the whole, and names
// each wrong field. The package never calls a server and never prints a value.
package form
