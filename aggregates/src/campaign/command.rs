//! Everything that can be asked of a campaign; each command decides in a file of its own.

use super::{
    AssignScoringProfile, Campaign, ChangeDetails, ChangeMode, CompletePhase, ConfigurePhase,
    Create, CreateWithNames, Delete, Duplicate, Error, Event, FailPhase, ImportDomains, PausePhase,
    ReconcileCounters, Reconfigure, RecordGenerated, RecordTaken, RefuseStart, Rescore, Restart,
    RestartAnalysis, ResumePhase, RetryFailed, Several, StartPhase, Stop, StopPhase,
};

/// What can be asked of a campaign.
#[derive(Clone, Debug)]
pub enum Command {
    /// Makes the campaign.
    Create(Create),
    /// Makes the campaign with its first names.
    CreateWithNames(CreateWithNames),
    /// Makes the campaign like another one.
    Duplicate(Duplicate),
    /// Changes name, description or configuration object.
    ChangeDetails(ChangeDetails),
    /// Changes details and configurations of phases together.
    Reconfigure(Reconfigure),
    /// Changes the way from phase to phase.
    ChangeMode(ChangeMode),
    /// Configures a phase.
    ConfigurePhase(ConfigurePhase),
    /// Names the scoring profile of the analysis.
    AssignScoringProfile(AssignScoringProfile),
    /// Takes names in.
    ImportDomains(ImportDomains),
    /// Records names that the discovery run generated.
    RecordGenerated(RecordGenerated),
    /// Records names that the discovery run took from another campaign.
    RecordTaken(RecordTaken),
    /// Starts a run.
    StartPhase(StartPhase),
    /// Runs every phase after the names anew.
    Restart(Restart),
    /// Runs the analysis anew.
    RestartAnalysis(RestartAnalysis),
    /// Runs a phase again for the domains that failed.
    RetryFailed(RetryFailed),
    /// Scores anew with other weights.
    Rescore(Rescore),
    /// Pauses a run.
    PausePhase(PausePhase),
    /// Resumes a run.
    ResumePhase(ResumePhase),
    /// Stops a run.
    StopPhase(StopPhase),
    /// Stops the campaign.
    Stop(Stop),
    /// Ends a run whose work is done.
    CompletePhase(CompletePhase),
    /// Ends a run that cannot go on.
    FailPhase(FailPhase),
    /// Says why the phase that is due does not start by itself.
    RefuseStart(RefuseStart),
    /// Notes that counters were put right.
    ReconcileCounters(ReconcileCounters),
    /// Deletes the campaign.
    Delete(Delete),
    /// Several of these at once.
    Several(Several),
}

impl Command {
    /// Decides what the command leads to.
    pub(super) fn decide(self, campaign: &Campaign) -> Result<Vec<Event>, Error> {
        match self {
            Self::Create(command) => command.decide(campaign),
            Self::CreateWithNames(command) => command.decide(campaign),
            Self::Duplicate(command) => command.decide(campaign),
            Self::ChangeDetails(command) => command.decide(campaign),
            Self::Reconfigure(command) => command.decide(campaign),
            Self::ChangeMode(command) => command.decide(campaign),
            Self::ConfigurePhase(command) => command.decide(campaign),
            Self::AssignScoringProfile(command) => command.decide(campaign),
            Self::ImportDomains(command) => command.decide(campaign),
            Self::RecordGenerated(command) => command.decide(campaign),
            Self::RecordTaken(command) => command.decide(campaign),
            Self::StartPhase(command) => command.decide(campaign),
            Self::Restart(command) => command.decide(campaign),
            Self::RestartAnalysis(command) => command.decide(campaign),
            Self::RetryFailed(command) => command.decide(campaign),
            Self::Rescore(command) => command.decide(campaign),
            Self::PausePhase(command) => command.decide(campaign),
            Self::ResumePhase(command) => command.decide(campaign),
            Self::StopPhase(command) => command.decide(campaign),
            Self::Stop(command) => command.decide(campaign),
            Self::CompletePhase(command) => command.decide(campaign),
            Self::FailPhase(command) => command.decide(campaign),
            Self::RefuseStart(command) => command.decide(campaign),
            Self::ReconcileCounters(command) => command.decide(campaign),
            Self::Delete(command) => command.decide(campaign),
            Self::Several(command) => command.decide(campaign),
        }
    }
}
