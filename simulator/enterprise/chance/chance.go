package chance

import "strings"

// Source draws values for one seed. It has no state and is safe for
// concurrent use.
type Source struct {
	seed uint64
}

// New returns the source of a seed.
func New(seed int64) Source {
	return Source{seed: mix(uint64(seed) + golden)}
}

// golden is 2^64 divided by the golden ratio, the increment of SplitMix64.
const golden = 0x9e3779b97f4a7c15

// mix is the finalizer of SplitMix64 (Steele, Lea and Flood, 2014).
func mix(x uint64) uint64 {
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb
	return x ^ (x >> 31)
}

// Uint64 draws 64 bits for kind and keys.
func (s Source) Uint64(kind string, keys ...int) uint64 {
	h := s.seed
	for i := 0; i < len(kind); i++ {
		h = (h ^ uint64(kind[i])) * 0x100000001b3
	}
	h = mix(h + golden)
	for _, key := range keys {
		h = mix(h ^ (uint64(key)*golden + 1))
	}
	return h
}

// Intn draws an integer in [0, n). It answers 0 when n is below 2.
func (s Source) Intn(n int, kind string, keys ...int) int {
	if n < 2 {
		return 0
	}
	return int(s.Uint64(kind, keys...) % uint64(n))
}

// Between draws an integer in [low, high], both ends included.
func (s Source) Between(low, high int, kind string, keys ...int) int {
	return low + s.Intn(high-low+1, kind, keys...)
}

// Percent is true for percent out of a hundred draws.
func (s Source) Percent(percent int, kind string, keys ...int) bool {
	return s.Intn(100, kind, keys...) < percent
}

// Pick draws one of words, which must not be empty.
func (s Source) Pick(words []string, kind string, keys ...int) string {
	return words[s.Intn(len(words), kind, keys...)]
}

// Letters draws n characters of alphabet.
func (s Source) Letters(n int, alphabet, kind string, keys ...int) string {
	var b strings.Builder
	b.Grow(n)
	bits := s.Uint64(kind, keys...)
	for i := range n {
		// Twelve characters of up to 36 letters are all that 64 bits hold.
		if i > 0 && i%12 == 0 {
			bits = mix(bits + golden + uint64(i))
		}
		b.WriteByte(alphabet[bits%uint64(len(alphabet))])
		bits /= uint64(len(alphabet))
	}
	return b.String()
}

// Alphabets that identifiers are written in.
const (
	// Base32 is the alphabet of AWS unique identifiers (RFC 4648).
	Base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	// Hex is lower-case hexadecimal.
	Hex = "0123456789abcdef"
	// LowerAlphanumeric is lower-case letters and digits.
	LowerAlphanumeric = "abcdefghijklmnopqrstuvwxyz0123456789"
)

// UUID draws an identifier in the form of a version 4 UUID.
func (s Source) UUID(kind string, keys ...int) string {
	h := []byte(s.Letters(32, Hex, kind, keys...))
	h[12] = '4'
	h[16] = "89ab"[s.Intn(4, kind+"/variant", keys...)]
	hex := string(h)
	return hex[:8] + "-" + hex[8:12] + "-" + hex[12:16] + "-" + hex[16:20] + "-" + hex[20:]
}
