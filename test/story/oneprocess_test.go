package story

import "testing"

// TestOneProcess tells the stories that harm nothing but their own connection,
// side by side on one `gatehouse dev`. Each has a seed of its own, whose company
// no other has.
func TestOneProcess(t *testing.T) {
	t.Parallel()
	own := newOwnConnector(t)
	p, _ := startDev(t, t.TempDir(), "GATEHOUSE_CONNECTORS_FILE="+own.file)
	for name, tell := range map[string]func(*testing.T, *plane){
		"first answer":            firstAnswer,
		"moto":                    motoComparison,
		"configuration":           badConfiguration,
		"credentials":             badCredentials,
		"unreachable":             unreachable,
		"denied stream":           deniedStream,
		"throttling storm":        throttlingStorm,
		"expiring sessions":       expiringSessions,
		"expired for good":        expiredForGood,
		"lifecycle":               lifecycle,
		"days":                    days,
		"truth":                   truths,
		"downloads":               downloads,
		"evidence":                evidenceHolds,
		"shown policy":            shownPolicy,
		"effective access":        effective,
		"CyberArk":                cyberArk,
		"roles":                   roles,
		"provider that is broken": brokenProvider,
		"damaged credentials":     damagedCredentials,
		"connector of one's own":  own.tell,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tell(t, p)
		})
	}
}
