// Package connector is part of a module that breaks the rules.
package connector
