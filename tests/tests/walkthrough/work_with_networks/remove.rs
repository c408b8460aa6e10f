//! "Remove a network".

use anyhow::{Result, ensure};

use crate::{desk::Desk, shown};

#[test]
fn a_network_that_nobody_is_connected_to_is_removed() -> Result<()> {
    let desk = Desk::new("remove")?;
    for line in [
        "network create simple-network",
        "network create my-network",
        "network create -d bridge --subnet 172.25.0.0/16 isolated_nw",
        "network create -d bridge --subnet 172.26.0.0/24 local_alias",
    ] {
        desk.makes(line)?;
    }
    desk.runs("run --network=isolated_nw --ip=172.25.3.3 -itd --name=container3")?;
    let endpoint = desk.formatted("{{.NetworkSettings.Networks.isolated_nw.EndpointID}}", "container3")?;
    desk.is_refused(
        "network rm isolated_nw",
        &format!(
            "error while removing network: network isolated_nw has active endpoints (name:\"container3\" id:\"{}\")",
            &endpoint[..12]
        ),
    )?;
    // Steps 1 to 3.
    desk.does("network disconnect isolated_nw container3")?;
    desk.shows_network("isolated_nw", &shown::network("isolated_nw", "172.25.0.0/16", "172.25.0.1"))?;
    ensure!(desk.says("network rm isolated_nw")? == "isolated_nw\n");
    // Step 4.
    let table = desk.says("network ls")?;
    ensure!(table.starts_with("NETWORK ID     NAME             DRIVER    SCOPE\n"), "{table}");
    let rows = desk.rows("network ls")?;
    let shown: Vec<_> = rows.iter().map(|row| row[1..].join(" ")).collect();
    let expected = [
        "bridge bridge local",
        "host host local",
        "local_alias bridge local",
        "my-network bridge local",
        "none null local",
        "simple-network bridge local",
    ];
    ensure!(shown == expected, "{table}");
    ensure!(rows.iter().all(|row| row[0].len() == 12), "{table}");
    Ok(())
}
