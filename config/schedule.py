"""Everything that Plumbline does by the clock. Times are UTC; docs/schedule.md says how to add a task."""

from __future__ import annotations

from jobs.schedule import Task

# The nights of Central Europe, one after the other: what looks at all rows first, then what removes some.
SCHEDULE = (
    Task(
        name="check-totals",
        cron="10 1 * * *",
        kind="projects.check_totals",
        description="Counts every project's totals and grades anew, mends what differs and reports it",
    ),
    Task(
        name="refresh-project-analytics",
        cron="40 1 * * *",
        kind="projects.refresh_analytics",
        description="Brings the figures of projects by day and organisation up to date",
    ),
    Task(
        name="enrich-tenders",
        cron="30 3 * * *",
        kind="tenders.enrich_nightly",
        description="Has tenders that are new or have changed read for each organisation with a profile",
    ),
    Task(
        name="sync-tenders",
        cron="20 * * * *",
        kind="tenders.sync_due",
        description="Fetches each scheduled source of tenders that has changed",
    ),
    Task(
        name="alert-tenders",
        cron="30 5 * * *",
        kind="tenders.alert_due",
        description="Tells people of new tenders that fit their saved searches, after the night's reading",
    ),
    Task(
        name="sync-quizzes",
        cron="0 9 * * *",
        kind="quiz.sync_due",
        description="Reads each scheduled bank of questions in Airtable, all of it",
    ),
    Task(
        name="pull-quiz-changes",
        cron="*/15 * * * *",
        kind="quiz.pull_changes",
        description="Reads what has changed in scheduled banks of questions since they were last read",
    ),
    Task(
        name="end-exams",
        cron="*/5 * * * *",
        kind="quiz.end_exams",
        description="Scores exams whose time is over and that nobody has handed in",
    ),
    Task(
        name="remind-assignments",
        cron="25 * * * *",
        kind="quiz.remind_assignments",
        description="Tells people of the calls that they are to hold within a day, and of those that are late",
    ),
    Task(
        name="count-clauses",
        cron="*/10 * * * *",
        kind="quiz.count_popularity",
        description="Writes down which clauses are asked for, and keeps the most asked for ready",
    ),
    Task(
        name="analyse-questions",
        cron="50 1 * * *",
        kind="quiz.analyse_items",
        description="Works out how well each question tells those who know from those who do not",
    ),
    Task(
        name="reconcile-calls",
        cron="35 * * * *",
        kind="quiz.reconcile_due",
        description="Asks voice services for training calls whose report never came",
    ),
    Task(
        name="move-demand-windows",
        cron="1 * * * *",
        kind="analytics.move_windows",
        description="Lets the windows of demand, which trends are read from, end with the hour that has begun",
    ),
    Task(
        name="refresh-wanted",
        cron="*/10 * * * *",
        kind="analytics.refresh_wanted",
        description="Has refreshed what people ask for and what is out of date, the most wanted first",
    ),
    Task(
        name="notice-spikes",
        cron="4 * * * *",
        kind="analytics.notice_spikes",
        description="Looks for what was asked for far more than usual, and tells whom it concerns",
    ),
    Task(
        name="prove-demand",
        cron="0 2 * * *",
        kind="analytics.prove",
        description="Rolls old hours of demand up to days and proves that hours and days add up to the counts",
    ),
    Task(
        name="reindex",
        cron="10 4 * * *",
        kind="analytics.reindex",
        description="Reads everything that is to be found anew; learns meanings when it has grown by half",
    ),
    Task(
        name="trim",
        cron="10 2 * * *",
        kind="jobs.trim",
        description="Removes old jobs, webhook messages, runs of the schedule, expired sessions and tokens",
    ),
    Task(
        name="forget-answers",
        cron="15 2 * * *",
        kind="projects.trim_knowledge",
        description="Removes looked-up prices and codes that have expired",
    ),
    Task(
        name="trim-project-exports",
        cron="15 2 * * *",
        kind="projects.trim_exports",
        description="Removes old exports of projects",
    ),
    Task(
        name="trim-tender-files",
        cron="20 2 * * *",
        kind="tenders.trim",
        description="Removes old exports, uploaded files of notices, and documents that no tender has any more",
    ),
    Task(
        name="trim-model-calls",
        cron="30 2 * * *",
        kind="ai.trim",
        description="Finds calls of models that were lost, removes old ones and answers no longer kept",
    ),
)
