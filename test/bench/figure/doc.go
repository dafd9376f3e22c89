// Package figure prints measurements beside the limits they are held to.
package figure
