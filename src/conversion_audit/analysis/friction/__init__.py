"""Where people who want to go on are stopped, how sure that is, and what it costs."""

from conversion_audit.analysis.friction.claims import enough_data, findings, headline_leak, is_timeless
from conversion_audit.analysis.friction.diagnosis import Diagnosis, diagnose
from conversion_audit.analysis.friction.leak import smallest_falls

__all__ = ["Diagnosis", "diagnose", "enough_data", "findings", "headline_leak", "is_timeless", "smallest_falls"]
