// Package azure is part of a module that breaks the rules.
package azure
