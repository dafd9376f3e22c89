// Package audit is part of a module that breaks the rules.
package audit
