// Package control is what every simulated provider has of its own beside the
// provider's protocol: counts of the calls that were made, faults that make some of
// them go wrong, the interface to both under /_simulator/, and serving until told to
// stop.
//
// A simulator counts each call in a [Counter] and asks its [Faults] what to do about
// it. Which faults there are, and what they do, is the simulator's; this package
// keeps them and chooses by their [Schedule] which calls they hit. It knows no
// provider, holds nothing beyond the process, and is for tests and demonstrations.
package control
