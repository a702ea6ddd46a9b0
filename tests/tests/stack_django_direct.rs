//! Django that serves mutual TLS itself, by gunicorn and by uvicorn.

use anyhow::Result;
use observer_tests::peers::Version;
use observer_tests::stacks::case::Case;
use observer_tests::stacks::run::Scene;
use observer_tests::stacks::service::{Code, Deployment, Refusal, Stack, Tells};

const GUNICORN: Stack = Stack {
    name: "django-direct",
    variant: "gunicorn",
    program: "run-gunicorn",
    code: Code::SharedOpenSsl,
    libraries: "auto",
    refusal: Refusal::Alert,
    tells: Tells::Everything,
    logs: &[],
};

#[test]
#[ignore = "needs root"]
fn gunicorn() -> Result<()> {
    let mut scene = Scene::new(&GUNICORN, &Deployment::ALL)?;
    for version in Version::ALL {
        for case in Case::ALL {
            match scene.play(case, version) {
                Ok(row) => {
                    let cells = observer_tests::stacks::cell::Cell::HAPPENED
                        .iter()
                        .chain(&observer_tests::stacks::cell::Cell::WHO);
                    let cells: Vec<String> = cells
                        .map(|cell| cell.of(&row.event).to_string().replace('"', ""))
                        .collect();
                    println!(
                        "ROW {} {case:?} | {:?} | {} | {}",
                        version.text(),
                        row.log,
                        row.saw,
                        cells.join(" | ")
                    );
                }
                Err(error) => println!("{case:?} {version:?} {error:#}"),
            }
        }
    }
    scene.finish()
}
