// Command bench measures the figures that Gatehouse promises and prints each
// beside the limit measured in the same run. It ends with 1 when a target is
// missed. `make bench` builds and runs it; -run chooses figures.
package main
