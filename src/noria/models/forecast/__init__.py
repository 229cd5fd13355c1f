"""The forecaster: series in, what comes next out, with intervals, beside what simple rules say.

values -> logarithm, differences, scale -> windows -> recurrent layers -> horizon steps ahead -> all undone
"""
