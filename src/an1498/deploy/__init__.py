"""Builds → SIEMs: plan, apply, rollback, drift. What is deployed is what `an1498 build` wrote."""

from an1498.deploy.apply import Result, apply_plan
from an1498.deploy.drift import Drift, find_drift
from an1498.deploy.plan import Change, Plan
from an1498.deploy.session import Session, open_session, plan_build, plan_rollback

__all__ = ["Change", "Drift", "Plan", "Result", "Session", "apply_plan", "find_drift", "open_session", "plan_build", "plan_rollback"]
