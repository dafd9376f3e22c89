package licence_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/licence"
)

// record is a data plane of tenant 1 with the licence, at a moment.
func (v vendor) record(t testing.TB, l licence.Licence, now time.Time) licence.Record {
	t.Helper()
	return licence.Record{Tenant: 1, Keys: []licence.PublicKey{v.public}, Document: v.sign(t, l), Now: now}
}

func TestWithoutALicenceEverythingIsAllowed(t *testing.T) {
	t.Parallel()
	s := licence.Record{Tenant: 7, Now: begin}.Standing()
	require.Equal(t, licence.BuiltIn, s.State)
	require.Empty(t, s.Message)
	require.NoError(t, s.AdmitConnection("anything", 1<<40))
	require.NoError(t, s.AdmitWorkspace(1<<40))
}

func TestStandingFollowsTheClock(t *testing.T) {
	t.Parallel()
	v, l := newVendor(t, "licences.example.com"), contoso()
	end, grace := *l.ExpiresAt, *l.GraceUntil()
	for _, c := range []struct {
		now   time.Time
		state licence.State
		new   bool
	}{
		{begin, licence.Valid, true},
		{end.Add(-time.Nanosecond), licence.Valid, true},
		{end, licence.Grace, true},
		{grace.Add(-time.Nanosecond), licence.Grace, true},
		{grace, licence.Expired, false},
		{grace.AddDate(50, 0, 0), licence.Expired, false},
		// A clock that was set back does not end what was valid.
		{begin.AddDate(-1, 0, 0), licence.Valid, true},
	} {
		s := v.record(t, l, c.now).Standing()
		require.Equal(t, c.state, s.State, c.now)
		require.Equal(t, c.state != licence.Valid, s.Message != "", c.now)
		_, ok := s.Allows("aws")
		require.Equal(t, c.new, ok, c.now)
		require.Equal(t, c.new, s.AdmitConnection("aws", 0) == nil, c.now)
		require.Equal(t, c.new, s.AdmitWorkspace(0) == nil, c.now)
	}
	l.ExpiresAt = nil
	require.Equal(t, licence.Valid, v.record(t, l, begin.AddDate(900, 0, 0)).Standing().State)
}

// What stops being trusted blocks what is new rather than allowing everything.
func TestUntrustedAllowsNothingNew(t *testing.T) {
	t.Parallel()
	v := newVendor(t, "licences.example.com")
	r := v.record(t, contoso(), begin)
	for name, change := range map[string]func(*licence.Record){
		"no keys":        func(r *licence.Record) { r.Keys = nil },
		"other keys":     func(r *licence.Record) { r.Keys = []licence.PublicKey{newVendor(t, "x").public} },
		"other document": func(r *licence.Record) { r.Document = "gatehouse-licence/v1\n{}\n" },
		"other tenant":   func(r *licence.Record) { r.Tenant = 2 },
	} {
		changed := r
		change(&changed)
		s := changed.Standing()
		require.Equal(t, licence.Untrusted, s.State, name)
		require.Nil(t, s.Licence, name)
		why, ok := s.Allows("aws")
		require.False(t, ok, name)
		require.Contains(t, why, "install", name)
		require.Equal(t, fault.Forbidden, fault.KindOf(s.AdmitConnection("aws", 0)), name)
		require.Equal(t, fault.Forbidden, fault.KindOf(s.AdmitWorkspace(0)), name)
	}
}

func TestLimitsAreNamedWithTheWayOut(t *testing.T) {
	t.Parallel()
	v, l, three := newVendor(t, "licences.example.com"), contoso(), int64(3)
	l.Limits.Workspaces = &three
	s := v.record(t, l, begin).Standing()
	require.NoError(t, s.AdmitConnection("aws", 4))
	err := s.AdmitConnection("aws", 5)
	require.Equal(t, fault.Conflict, fault.KindOf(err))
	require.ErrorContains(t, err, "allows 5 connections in all workspaces, and there are 5; delete one")
	require.NoError(t, s.AdmitWorkspace(2))
	require.ErrorContains(t, s.AdmitWorkspace(7), "allows 3 workspaces, and there are 7; archive one")
	err = s.AdmitConnection("cyberark_identity", 0)
	require.Equal(t, fault.Forbidden, fault.KindOf(err))
	require.ErrorContains(t, err, "does not include the integration cyberark_identity")
}

func TestOnlyAUsableLicenceIsAccepted(t *testing.T) {
	t.Parallel()
	v := newVendor(t, "licences.example.com")
	r := v.record(t, contoso(), begin.AddDate(0, 1, 0))
	change := func(edit func(*licence.Licence)) string {
		l := contoso()
		edit(&l)
		return v.sign(t, l)
	}
	late, past := begin.AddDate(0, 1, 1), begin.AddDate(0, 0, 1)
	_, err := r.Accept(change(func(l *licence.Licence) { l.Tenant = 2 }))
	requireRefused(t, err, "for tenant t_2 (Contoso Ltd), and this data plane belongs to t_1")
	_, err = r.Accept(change(func(l *licence.Licence) { l.NotBefore = late }))
	requireRefused(t, err, "valid from 2026-04-02 12:00:00 UTC on, and the database's clock says 2026-04-01 12:00:00 UTC")
	_, err = r.Accept(change(func(l *licence.Licence) { l.ExpiresAt = &past }))
	requireRefused(t, err, "expired at 2026-03-02")
	_, err = r.Accept(change(func(l *licence.Licence) { l.IssuedAt = begin.Add(-time.Second) }))
	require.Equal(t, fault.Conflict, fault.KindOf(err))
	require.ErrorContains(t, err, "before lic-2026-0042, which is in force")

	accepted, err := r.Accept(r.Document)
	require.NoError(t, err, "the same again changes nothing")
	require.Equal(t, "lic-2026-0042", accepted.ID)
	_, err = r.Accept(change(func(l *licence.Licence) { l.IssuedAt, l.ID = l.IssuedAt.Add(time.Second), "lic-next" }))
	require.NoError(t, err)
	r.Document = "not a licence any more"
	_, err = r.Accept(v.sign(t, contoso()))
	require.NoError(t, err, "one that cannot be trusted stands in nobody's way")
}

// Whatever the licence and the moment: an integration that it names is allowed
// exactly until the end of its grace, and no count beyond a limit is admitted.
func TestAdmissionNeverExceedsTheLicence(t *testing.T) {
	t.Parallel()
	v := newVendor(t, "licences.example.com")
	rapid.Check(t, func(r *rapid.T) {
		l := licences().Draw(r, "licence")
		l.Tenant = 1
		if l.Validate() != nil {
			r.Skip("a name that is none")
		}
		now := l.NotBefore.Add(time.Duration(rapid.Int64Range(0, 1<<57).Draw(r, "age")))
		used := rapid.Int64Range(0, 1_000_000_001).Draw(r, "used")
		asked := rapid.SampledFrom(append([]integration.ID{"aws"}, l.Integrations...)).Draw(r, "asked")
		ended := l.GraceUntil() != nil && !now.Before(*l.GraceUntil())
		within := l.Limits.Connections == nil || used < *l.Limits.Connections
		err := v.record(t, l, now).Standing().AdmitConnection(asked, used)
		require.Equal(r, l.Includes(asked) && !ended && within, err == nil, "%v", err)
	})
}
