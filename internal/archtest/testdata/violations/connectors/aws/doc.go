// Package aws is part of a module that breaks the rules.
package aws
