-- What a run was planned for outlives its gate: `replay check` holds the plan of every completed run against its results
-- at any later time, when gate and work orders are long forgotten.
ALTER TABLE run_plans DROP CONSTRAINT run_plans_run_id_fkey;
COMMENT ON TABLE run_plans IS 'A run whose work orders were written, and for how many domains; kept for good';
