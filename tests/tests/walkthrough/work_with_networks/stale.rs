//! "Handling stale network endpoints".

use anyhow::{Result, ensure};
use netebpf_tests::residue;

use crate::desk::Desk;

#[test]
fn after_a_crash_a_name_can_be_used_again() -> Result<()> {
    let desk = Desk::new("stale")?;
    desk.makes("network create multihost")?;
    let id = desk.runs("run -d --name redis_db --network multihost")?;
    let redis_db = desk.engine.sandbox(&id, "redis_db")?;
    desk.engine.kill()?;
    residue::kill_all_in(&redis_db)?;
    drop(redis_db);
    desk.engine.launch()?;

    // Today the name is refused before the network is asked.
    desk.is_refused(
        "run -d --name redis_db --network multihost -- sleep infinity",
        &format!(
            "Conflict. The container name \"/redis_db\" is already in use by container \"{id}\". You have to remove (or \
             rename) that container to be able to reuse that name."
        ),
    )?;
    ensure!(desk.says("rm -f redis_db")? == "redis_db\n");
    // Nothing is stale: an engine takes away what sandboxes have left behind.
    desk.is_refused("network disconnect -f multihost redis_db", "endpoint redis_db not found")?;
    desk.runs("run -d --name redis_db --network multihost")?;
    let networks = desk.formatted("{{json .NetworkSettings.Networks.multihost.IPAddress}}", "redis_db")?;
    ensure!(networks == r#""172.22.0.2""#, "{networks}");
    Ok(())
}

#[test]
fn a_sandbox_that_has_ended_is_disconnected_by_force() -> Result<()> {
    let desk = Desk::new("force")?;
    desk.makes("network create multihost")?;
    desk.runs("run -d --name redis_db --network multihost")?;
    desk.says("stop -t 0 redis_db")?;
    desk.does("network disconnect -f multihost redis_db")?;
    let networks = desk.formatted("{{json .NetworkSettings.Networks}}", "redis_db")?;
    ensure!(networks == "{}", "{networks}");
    ensure!(desk.says("network rm multihost")? == "multihost\n");
    Ok(())
}
