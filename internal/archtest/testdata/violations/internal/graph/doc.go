// Package graph is part of a module that breaks the rules.
package graph
