// Package postgres is part of a module that breaks the rules.
package postgres
