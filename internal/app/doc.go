// Package app composes services: it opens the database as each service's role,
// makes the stores, joins the parts that must not know one another, and mounts
// the operations. One file for each service target.
//
// It is the only package that sees everything. It decides nothing about the
// product: rules are in the domain packages, SQL in postgres, HTTP in api.
package app
