package azure

// Leave has a person's account gone from every list from now on, also from one that
// somebody is reading: a next link still leads to what came after it, as Microsoft's
// do.
func (s *Simulator) Leave(person int) {
	s.left.Store(s.estate.UserID(person), true)
}

// isGone reports whether an object has left the directory.
func (s *Simulator) isGone(o object) bool {
	id, ok := o["id"].(string)
	if !ok {
		return false
	}
	_, gone := s.left.Load(id)
	return gone
}
