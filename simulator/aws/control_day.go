package aws

import (
	"encoding/json"
	"net/http"

	"github.com/gatehouse-project/gatehouse/simulator/aws/estate"
)

// DayReport is the answer of /_simulator/day, and what it takes.
type DayReport struct {
	Day int `json:"day"`
}

func (s *Simulator) showDay(w http.ResponseWriter, _ *http.Request) {
	writeControl(w, http.StatusOK, DayReport{s.Estate().Company.Day()})
}

func (s *Simulator) turnDay(w http.ResponseWriter, r *http.Request) {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	decoder.DisallowUnknownFields()
	var wanted DayReport
	if err := decoder.Decode(&wanted); err != nil {
		http.Error(w, "read the day: "+err.Error(), http.StatusBadRequest)
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
}

// DefaultAction is what is asked about when nothing else is.
const DefaultAction = "s3:GetObject"

// Truth says who reaches a bucket with an action, [DefaultAction] when empty; see
// [estate.Estate.Truth].
func (s *Simulator) Truth(bucket, action string) (TruthReport, error) {
	if action == "" {
		action = DefaultAction
	}
	now := s.Estate()
	reaches, err := now.Truth(bucket, action)
	return TruthReport{now.Company.Day(), bucket, action, reaches}, err
}

func (s *Simulator) showTruth(w http.ResponseWriter, r *http.Request) {
	told, err := s.Truth(r.URL.Query().Get("bucket"), r.URL.Query().Get("action"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	writeControl(w, http.StatusOK, told)
}
