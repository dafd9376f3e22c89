// Package chance makes draws that depend on nothing but a seed and what is
// drawn: the same seed, kind and keys give the same value in every process,
// in any order. Simulated estates of any size use it to compute their n-th
// object on demand instead of keeping all of them in memory.
//
// It is no source of secrets: whoever knows the seed knows every draw.
package chance
