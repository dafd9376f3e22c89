package cli

import "context"

// SimulateXeroCmd is `gatehouse simulate xero`.
type SimulateXeroCmd struct {
	logging
	People int    `default:"300" placeholder:"N" help:"How many people the company has (${default})."`
	Seed   int64  `default:"1" placeholder:"S" help:"What the company is made from; the same seed makes the same people as in AWS (${default})."`
	Listen string `default:"127.0.0.1:8646" placeholder:"HOST:PORT" help:"Where to serve (${default})."`
}

// Help returns examples.
func (SimulateXeroCmd) Help() string {
	return `Speaks the protocols of Xero's token endpoint and accounting API at one address. It prints a refresh token to connect with, which is good for one use; /_simulator/estate gives another. Its data is made up and the same for the same seed.

    gatehouse simulate xero --people 2000 --seed 7`
}

// Run serves the simulated provider.
func (cmd *SimulateXeroCmd) Run(ctx context.Context, e *environment) error {
	if e.services.SimulateXero == nil {
		return errNotBuilt
	}
	if cmd.People < 1 {
		return usagef("--people: must be at least 1")
	}
	return listening(e.services.SimulateXero(ctx, cmd.process(e), SimulateOptions{People: cmd.People, Seed: cmd.Seed, Listen: cmd.Listen}))
}
