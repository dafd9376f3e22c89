package export

// identityTable is the form of [Identities]: a row for each principal.
func identityTable() Table {
	columns := []Column{
		{"identity_id", Text},
		{"identity_name", Text},
		{"identity_principals", Integer},
		{"member_since", Moment},
		{"member_by_run_id", Text},
		{"member_by_correction_id", Text},
	}
	return Table{Name: string(Identities), Columns: append(columns, entityTable().Columns...)}
}

func identityRow(p Identified) (Row, error) {
	principal, err := entityRow(p.Entity)
	if err != nil {
		return nil, err
	}
	var run, correction any
	if p.Run != 0 {
		run = p.Run.String()
	}
	if p.Correction != 0 {
		correction = p.Correction.String()
	}
	return append(Row{p.Identity.ID.String(), p.Identity.Name, int64(p.Identity.Principals), moment(p.Since), run, correction}, principal...), nil
}
