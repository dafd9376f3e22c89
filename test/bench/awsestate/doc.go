// Package awsestate measures the AWS connector on a simulated organisation: how
// many calls it makes, and how fast it is beside the bare SDK that decodes the
// same pages.
//
// Answers are kept from a first pass and played back afterwards, so that neither
// the simulator nor a network is in the figures.
package awsestate
