// Package run is part of a module that breaks the rules.
package run
