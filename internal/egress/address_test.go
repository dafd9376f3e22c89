package egress

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestAddresses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct{ strict, withPrivate Reason }{
		"8.8.8.8":                {},
		"172.32.0.1":             {},
		"100.128.0.1":            {},
		"2606:4700::1111":        {},
		"::ffff:8.8.8.8":         {},
		"64:ff9b::808:808":       {},
		"2002:808:808::1":        {},
		"127.0.0.1":              {ReasonPrivate, ""},
		"127.255.255.254":        {ReasonPrivate, ""},
		"::1":                    {ReasonPrivate, ""},
		"10.0.0.1":               {ReasonPrivate, ""},
		"172.16.0.1":             {ReasonPrivate, ""},
		"172.31.255.255":         {ReasonPrivate, ""},
		"192.168.1.1":            {ReasonPrivate, ""},
		"100.64.0.1":             {ReasonPrivate, ""},
		"100.127.255.255":        {ReasonPrivate, ""},
		"fd12:3456::1":           {ReasonPrivate, ""},
		"fc00::1":                {ReasonPrivate, ""},
		"::ffff:127.0.0.1":       {ReasonPrivate, ""},
		"::ffff:10.1.2.3":        {ReasonPrivate, ""},
		"64:ff9b::7f00:1":        {ReasonPrivate, ""},
		"2002:7f00:1::":          {ReasonPrivate, ""},
		"2002:a00:1::1":          {ReasonPrivate, ""},
		"169.254.169.254":        {ReasonMetadata, ReasonMetadata},
		"169.254.170.2":          {ReasonMetadata, ReasonMetadata},
		"100.100.100.200":        {ReasonMetadata, ReasonMetadata},
		"168.63.129.16":          {ReasonMetadata, ReasonMetadata},
		"fd00:ec2::254":          {ReasonMetadata, ReasonMetadata},
		"fd20:ce::254":           {ReasonMetadata, ReasonMetadata},
		"::ffff:169.254.169.254": {ReasonMetadata, ReasonMetadata},
		"64:ff9b::a9fe:a9fe":     {ReasonMetadata, ReasonMetadata},
		"2002:a9fe:a9fe::":       {ReasonMetadata, ReasonMetadata},
		"169.254.1.1":            {ReasonReserved, ReasonReserved},
		"fe80::1":                {ReasonReserved, ReasonReserved},
		"fe80::1%eth0":           {ReasonReserved, ReasonReserved},
		"fec0::1":                {ReasonReserved, ReasonReserved},
		"0.0.0.0":                {ReasonReserved, ReasonReserved},
		"0.1.2.3":                {ReasonReserved, ReasonReserved},
		"::":                     {ReasonReserved, ReasonReserved},
		"::7f00:1":               {ReasonReserved, ReasonReserved},
		"64:ff9b:1::7f00:1":      {ReasonReserved, ReasonReserved},
		"224.0.0.1":              {ReasonReserved, ReasonReserved},
		"ff02::1":                {ReasonReserved, ReasonReserved},
		"255.255.255.255":        {ReasonReserved, ReasonReserved},
		"240.0.0.1":              {ReasonReserved, ReasonReserved},
		"198.18.0.1":             {ReasonReserved, ReasonReserved},
		"2001::7f00:1":           {ReasonReserved, ReasonReserved},
		"2001:db8::1":            {ReasonReserved, ReasonReserved},
		"100::1":                 {ReasonReserved, ReasonReserved},
	} {
		address := netip.MustParseAddr(text)
		require.Equal(t, want.strict, newRules().check(address, false), text)
		require.Equal(t, want.withPrivate, newRules().check(address, true), "%s with private networks allowed", text)
	}
	require.Equal(t, ReasonReserved, newRules().check(netip.Addr{}, true))
}

func TestZoneDoesNotHideAnAddress(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Reason{
		"fd00:ec2::254%eth0": ReasonMetadata,
		"::1%lo":             ReasonPrivate,
		"64:ff9b::7f00:1%lo": ReasonPrivate,
	} {
		require.Equal(t, want, newRules().check(netip.MustParseAddr(text), false), text)
	}
}

// An IPv4 address inside an IPv6 one is judged as itself.
func TestEmbeddedIPv4IsJudgedAsItself(t *testing.T) {
	t.Parallel()
	rules := newRules()
	rapid.Check(t, func(t *rapid.T) {
		first := rapid.OneOf(rapid.Byte(), rapid.SampledFrom([]byte{10, 100, 127, 169, 172, 192, 224}))
		v4 := [4]byte{first.Draw(t, "a"), rapid.Byte().Draw(t, "b"), rapid.Byte().Draw(t, "c"), rapid.Byte().Draw(t, "d")}
		allowPrivate := rapid.Bool().Draw(t, "allow private")
		want := rules.check(netip.AddrFrom4(v4), allowPrivate)

		mapped := [16]byte{10: 0xff, 11: 0xff}
		copy(mapped[12:], v4[:])
		nat64 := [16]byte{0: 0x00, 1: 0x64, 2: 0xff, 3: 0x9b}
		copy(nat64[12:], v4[:])
		sixToFour := [16]byte{0: 0x20, 1: 0x02, 15: rapid.Byte().Draw(t, "host")}
		copy(sixToFour[2:], v4[:])
		for _, form := range [][16]byte{mapped, nat64, sixToFour} {
			require.Equal(t, want, rules.check(netip.AddrFrom16(form), allowPrivate), netip.AddrFrom16(form))
		}
	})
}
