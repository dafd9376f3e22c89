package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/gatehouse-project/gatehouse/connector"
)

// maxResumes is how many cursors of a partition are continued from.
const maxResumes = 16

// checks has the program check, and identify the same.
func (v *verification) checks(ctx context.Context) (string, error) {
	session, err := v.open(ctx, nil, nil)
	if err != nil {
		return "", err
	}
	defer letGo(session)
	found, err := session.Check(ctx)
	if err != nil {
		return "", err
	}
	switch {
	case found.Target.ID == "" || found.Target.Type == "":
		return "", errors.New("the check does not name its target's id and type")
	case !found.Sufficient || len(found.Remediation) > 0:
		return "", errors.New("the check says that something is missing, with settings that lack nothing")
	}
	for _, s := range v.manifestOf().Streams {
		i := slices.IndexFunc(found.Streams, func(o connector.StreamOutlook) bool { return o.Stream == s.Name })
		if i < 0 || found.Streams[i].Coverage == connector.Partial {
			return "", fmt.Errorf("the check does not say that the stream %q would be complete", s.Name)
		}
	}
	if short, ok := session.(*opened).Session.(connector.IdentifyingSession); ok {
		identity, err := short.Identify(ctx)
		if err != nil {
			return "", fmt.Errorf("identify: %w", err)
		}
		if identity.Target != found.Target || identity.ActsAs != found.ActsAs {
			return "", errors.New("identify names another target than check")
		}
	}
	if err := session.Close(); err != nil {
		return "", err
	}
	return fmt.Sprintf("reaches %s %s", found.Target.Type, found.Target.ID), nil
}

// plans has two processes plan, and wants one plan in the order of dependence.
func (v *verification) plans(ctx context.Context) (plan connector.Plan, detail string, err error) {
	plan, err = v.plan(ctx)
	if err != nil {
		return plan, "", err
	}
	again, err := v.plan(ctx)
	if err != nil {
		return plan, "", err
	}
	if !slices.Equal(names(plan), names(again)) || plan.Complete != again.Complete {
		return plan, "", errors.New("two processes plan differently")
	}
	if len(plan.Partitions) == 0 {
		return plan, "", errors.New("nothing is planned")
	}
	seen := map[string]bool{}
	for i, p := range plan.Partitions {
		stream, ok := v.manifestOf().Stream(p.Stream)
		switch {
		case !ok:
			return plan, "", fmt.Errorf("the plan names the stream %q, which the manifest does not have", p.Stream)
		case seen[name(p)]:
			return plan, "", fmt.Errorf("the plan names %s twice", name(p))
		case len(p.Key) > connector.MaxKeyBytes:
			return plan, "", fmt.Errorf("the key of partition %d is %d bytes long, more than %d", i+1, len(p.Key), connector.MaxKeyBytes)
		case p.Skip != nil:
			return plan, "", fmt.Errorf("%s is skipped, with settings that lack nothing: %w", name(p), p.Skip)
		}
		seen[name(p)] = true
		for _, later := range plan.Partitions[i+1:] {
			if slices.Contains(stream.DependsOn, later.Stream) {
				return plan, "", fmt.Errorf("%s is planned before %s, on which its stream depends", name(p), name(later))
			}
		}
	}
	return plan, fmt.Sprintf("%d partitions, the same in two processes", len(plan.Partitions)), nil
}

func (v *verification) plan(ctx context.Context) (connector.Plan, error) {
	session, err := v.open(ctx, nil, nil)
	if err != nil {
		return connector.Plan{}, err
	}
	defer letGo(session)
	return session.Plan(ctx)
}

func names(plan connector.Plan) []string {
	all := make([]string, len(plan.Partitions))
	for i, p := range plan.Partitions {
		all[i] = name(p)
	}
	return all
}

// reads has two processes read everything, and wants the same, without loose ends.
func (v *verification) reads(ctx context.Context, plan connector.Plan) (whole map[string]*reading, detail string, err error) {
	_, whole, errs, err := v.readAll(ctx, nil, nil)
	if err == nil {
		err = first(plan, errs)
	}
	if err != nil {
		return nil, "", err
	}
	_, again, errs, err := v.readAll(ctx, nil, nil)
	if err == nil {
		err = first(plan, errs)
	}
	if err != nil {
		return nil, "", err
	}
	all, pages := records{}, 0
	var relationships []connector.Relationship
	for _, p := range plan.Partitions {
		one := whole[name(p)]
		if gaps := one.gaps(); len(gaps) > 0 {
			return nil, "", fmt.Errorf("%s has a gap, with settings that lack nothing: %w", name(p), &gaps[0])
		}
		if err := differ(one.pages, again[name(p)].pages); err != nil {
			return nil, "", fmt.Errorf("%s reads differently the second time: %w", name(p), err)
		}
		if err := all.add(one.pages); err != nil {
			return nil, "", fmt.Errorf("%s: %w", name(p), err)
		}
		pages += len(one.pages)
		for _, page := range one.pages {
			relationships = append(relationships, page.Relationships...)
		}
	}
	if len(all) == 0 {
		return nil, "", errors.New("nothing is read")
	}
	for _, r := range relationships {
		for _, end := range []connector.Ref{r.From, r.To} {
			if _, ok := all[entityID(end)]; !ok {
				return nil, "", fmt.Errorf("a relationship %s leads to %s, which is not emitted", r.Kind, entityID(end))
			}
		}
	}
	return whole, fmt.Sprintf("%d records on %d pages, the same in two processes", len(all), pages), nil
}

// first returns the error of the first partition that has one.
func first(plan connector.Plan, errs map[string]error) error {
	for _, p := range plan.Partitions {
		if err := errs[name(p)]; err != nil {
			return fmt.Errorf("%s: %w", name(p), err)
		}
	}
	return nil
}

// resumes goes on from cursors, each in a process of its own.
func (v *verification) resumes(ctx context.Context, plan connector.Plan, whole map[string]*reading) (string, error) {
	tried := 0
	for _, p := range plan.Partitions {
		pages := whole[name(p)].pages
		for k := range min(len(pages), maxResumes) {
			i := k * len(pages) / min(len(pages), maxResumes)
			if pages[i].Next == "" {
				continue
			}
			rest, err := v.resume(ctx, p, pages[i].Next)
			if err == nil {
				err = differ(pages, append(slices.Clone(pages[:i+1]), rest...))
			}
			if err != nil {
				return "", fmt.Errorf("%s, continued after page %d in a new process: %w", name(p), i+1, err)
			}
			tried++
		}
	}
	if tried == 0 {
		return "", skipped("no partition has more than one page")
	}
	return fmt.Sprintf("the same from each of %d cursors, in a new process", tried), nil
}

func (v *verification) resume(ctx context.Context, p connector.Partition, from connector.Cursor) ([]connector.Page, error) {
	session, err := v.open(ctx, nil, nil)
	if err != nil {
		return nil, err
	}
	defer letGo(session)
	r, err := v.newReading(p)
	if err != nil {
		return nil, err
	}
	err = session.Read(ctx, p, from, r)
	return r.pages, err
}
