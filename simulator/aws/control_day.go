package aws

import (
	"net/http"

	"github.com/gatehouse-project/gatehouse/simulator/aws/estate"
	"github.com/gatehouse-project/gatehouse/simulator/control"
)

// DayReport is the answer of /_simulator/day, and what it takes.
type DayReport struct {
	Day int `json:"day"`
}

func (s *Simulator) showDay(w http.ResponseWriter, _ *http.Request) {
	control.Write(w, http.StatusOK, DayReport{s.Estate().Company.Day()})
}

func (s *Simulator) turnDay(w http.ResponseWriter, r *http.Request) {
	var wanted DayReport
	if !control.Read(w, r, "day", &wanted) {
		return
	}
	if err := s.Turn(wanted.Day); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.showDay(w, r)
}

// TruthReport is the answer of /_simulator/truth.
type TruthReport struct {
	Day     int            `json:"day"`
	Bucket  string         `json:"bucket"`
	Action  string         `json:"action"`
	Reaches []estate.Reach `json:"reaches"`
	// Holders are all who reach it, over Identity Center or not.
	Holders []estate.Holder `json:"holders"`
}

// ReachReport is the answer of /_simulator/truth about an identity.
type ReachReport struct {
	Day      int      `json:"day"`
	Identity string   `json:"identity"`
	Action   string   `json:"action"`
	Buckets  []string `json:"buckets"`
}

// DefaultAction is what is asked about when nothing else is.
const DefaultAction = "s3:GetObject"

// Truth says who reaches a bucket with an action, [DefaultAction] when empty; see
// [estate.Estate.Truth] and [estate.Estate.Holders].
func (s *Simulator) Truth(bucket, action string) (TruthReport, error) {
	if action == "" {
		action = DefaultAction
	}
	now := s.Estate()
	reaches, err := now.Truth(bucket, action)
	if err != nil {
		return TruthReport{}, err
	}
	holders, err := now.Holders(bucket, action)
	return TruthReport{now.Company.Day(), bucket, action, reaches, holders}, err
}

// Reach says which buckets a user, a role or somebody of Identity Center reaches,
// by the id that AWS gives it; see [estate.Estate.Reachable].
func (s *Simulator) Reach(identity, action string) (ReachReport, error) {
	if action == "" {
		action = DefaultAction
	}
	now := s.Estate()
	buckets, err := now.Reachable(identity, action)
	return ReachReport{now.Company.Day(), identity, action, buckets}, err
}

func (s *Simulator) showTruth(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	var told any
	var err error
	if identity := query.Get("identity"); identity != "" {
		told, err = s.Reach(identity, query.Get("action"))
	} else {
		told, err = s.Truth(query.Get("bucket"), query.Get("action"))
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	control.Write(w, http.StatusOK, told)
}
