-- What a run is for, and what follows it by itself whatever the campaign's mode says.
ALTER TABLE read.campaigns ADD COLUMN through text;                              -- the last phase that follows
ALTER TABLE read.campaign_phases ADD COLUMN run_kind text NOT NULL DEFAULT 'full';  -- of the last run
