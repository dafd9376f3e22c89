package integration

import (
	"fmt"
	"slices"

	"github.com/gatehouse-project/gatehouse/internal/fault"
)

// checkRenewal refuses a manifest whose renewal names no secret text.
func (i *Integration) checkRenewal() error {
	if i.Renewal == nil {
		return nil
	}
	named := func(f Field) bool { return f.Name == i.Renewal.Field && f.Secret && f.Type == "string" }
	if !slices.ContainsFunc(i.configuration.fields, named) {
		return fmt.Errorf("the renewal names the field %q, which is no secret text of the configuration", i.Renewal.Field)
	}
	return nil
}

// storesRenewed refuses a reference where the provider's next secret has to be
// stored: nothing is ever written to where a reference leads.
func (i *Integration) storesRenewed(found map[string]Reference) error {
	if i.Renewal == nil {
		return nil
	}
	if _, refers := found[i.Renewal.Field]; refers {
		return fault.InvalidField("configuration."+i.Renewal.Field, "is replaced by the provider each time it is used, so it is stored here; give the value and no reference")
	}
	return nil
}
