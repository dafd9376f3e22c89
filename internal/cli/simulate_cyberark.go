package cli

import "context"

// SimulateCyberArkOptions are the options of `gatehouse simulate cyberark`.
type SimulateCyberArkOptions struct {
	People int
	Seed   int64
	Listen string
}

// SimulateCyberArkCmd is `gatehouse simulate cyberark`.
type SimulateCyberArkCmd struct {
	logging
	People int    `default:"300" placeholder:"N" help:"How many people the tenant has (${default})."`
	Seed   int64  `default:"1" placeholder:"S" help:"What the tenant is made from; the same seed makes the same people as in AWS (${default})."`
	Listen string `default:"127.0.0.1:8645" placeholder:"HOST:PORT" help:"Where to serve (${default})."`
}

// Help returns examples.
func (SimulateCyberArkCmd) Help() string {
	return `Speaks the protocol of CyberArk Identity: tokens, queries, roles, rights and permissions on applications. It prints the service user's password to connect with; its data is made up and the same for the same seed.

POST /_simulator/faults has calls go wrong: kind is throttle, deny, slow, broken, expire, unavailable, page or sign_in. GET lists the faults that are in force, DELETE ends them.

    gatehouse simulate cyberark --people 2000 --seed 7
    curl http://127.0.0.1:8645/_simulator/faults -d '{"kind": "deny", "permission": "Read Only Role Management"}'`
}

// Run serves the simulated provider.
func (cmd *SimulateCyberArkCmd) Run(ctx context.Context, e *environment) error {
	if e.services.SimulateCyberArk == nil {
		return errNotBuilt
	}
	if cmd.People < 2 {
		return usagef("--people: must be at least 2")
	}
	return listening(e.services.SimulateCyberArk(ctx, cmd.process(e), SimulateCyberArkOptions{People: cmd.People, Seed: cmd.Seed, Listen: cmd.Listen}))
}
