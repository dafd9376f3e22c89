package graph

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestMatchAction(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, action string
		want            bool
	}{
		{"*", "s3:GetObject", true},
		{"s3:*", "s3:GetObject", true},
		{"S3:get*", "s3:GetObject", true},
		{"s3:Get?bject", "s3:GetObject", true},
		{"s3:Get?object", "s3:GetObject", false},
		{"s3:GetObject", "s3:GetObjectAcl", false},
		{"s3:*Object*Acl", "s3:PutObjectVersionAcl", true},
		{"", "s3:GetObject", false},
		{"**", "s3:GetObject", true},
	} {
		require.Equal(t, c.want, matchAction(c.pattern, c.action), "%s on %s", c.pattern, c.action)
	}
}

func TestCoveredBy(t *testing.T) {
	t.Parallel()
	set := func(actions ...string) actionSet { return actionSet{actions: actions} }
	but := func(except ...string) actionSet { return actionSet{except: except} }
	for name, c := range map[string]struct {
		allow  actionSet
		denies []actionSet
		want   bool
	}{
		"by the same":                    {set("s3:Get*"), []actionSet{set("s3:get*")}, true},
		"by everything":                  {but("iam:*"), []actionSet{set("*")}, true},
		"by two together":                {set("s3:Get*", "s3:Put*"), []actionSet{set("s3:Put*"), set("s3:Get*")}, true},
		"in part":                        {set("s3:*"), []actionSet{set("s3:Delete*")}, false},
		"a mark does not stand for many": {set("s3:*"), []actionSet{set("s3:?")}, false},
		"by all but something else":      {set("s3:Get*"), []actionSet{but("iam:*")}, true},
		"by all but some of it":          {set("s3:Get*"), []actionSet{but("s3:GetObject")}, false},
		"by the same exceptions":         {but("iam:*", "sts:*"), []actionSet{but("iam:*")}, true},
		"by nothing":                     {set("s3:Get*"), nil, false},
	} {
		require.Equal(t, c.want, c.allow.coveredBy(c.denies), name)
	}
}

// A set that is said to be covered has no action outside the others.
func TestCoveredByIsSound(t *testing.T) {
	t.Parallel()
	pattern := rapid.StringMatching(`[ab*?]{1,4}`)
	sets := rapid.Custom(func(t *rapid.T) actionSet {
		return actionSet{
			actions: rapid.SliceOfN(pattern, 0, 2).Draw(t, "actions"),
			except:  rapid.SliceOfN(pattern, 0, 2).Draw(t, "except"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		allow := sets.Draw(t, "allow")
		denies := rapid.SliceOfN(sets, 0, 3).Draw(t, "denies")
		action := rapid.StringMatching(`[ab]{0,6}`).Draw(t, "action")
		if !allow.coveredBy(denies) || !allow.has(action) {
			return
		}
		for _, d := range denies {
			if d.has(action) {
				return
			}
		}
		t.Fatalf("%q is allowed by %+v and denied by none of %+v", action, allow, denies)
	})
}

// Matching agrees with the regular language that the pattern stands for.
func TestMatchActionAgreesWithSearch(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[abA*?]{0,6}`).Draw(t, "pattern")
		action := rapid.StringMatching(`[abB]{0,6}`).Draw(t, "action")
		require.Equal(t, slowMatch(strings.ToLower(pattern), strings.ToLower(action)), matchAction(pattern, action))
	})
}

func slowMatch(pattern, text string) bool {
	if pattern == "" {
		return text == ""
	}
	if pattern[0] == '*' {
		return slowMatch(pattern[1:], text) || text != "" && slowMatch(pattern, text[1:])
	}
	return text != "" && (pattern[0] == '?' || pattern[0] == text[0]) && slowMatch(pattern[1:], text[1:])
}
