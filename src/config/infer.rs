//! Proposes a configuration from a catalogue or from file headers.
