//! One engine for all tests that leave nothing of what they have made: to start one takes longer than most of them.

use std::{
    ops::Deref,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    thread,
};

use anyhow::Result;

use super::OPTIONS;
use crate::scene::{NET, Scene};

/// One test's turn on the shared scene, which is as new: one network and no sandbox.
pub(super) struct Turn {
    scene: Arc<Scene>,
    _alone: MutexGuard<'static, ()>,
}

impl Turn {
    /// Waits for those who came before.
    pub(super) fn wait() -> Result<Self> {
        static SHARED: Mutex<Weak<Scene>> = Mutex::new(Weak::new());
        static ALONE: Mutex<()> = Mutex::new(());

        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        let scene = match shared.upgrade() {
            Some(scene) => scene,
            None => Arc::new(Scene::new("names", &OPTIONS)?),
        };
        *shared = Arc::downgrade(&scene);
        drop(shared);
        Ok(Self { scene, _alone: ALONE.lock().unwrap_or_else(PoisonError::into_inner) })
    }

    fn clear(&self) -> Result<()> {
        let engine = &self.scene.engine;
        let remove = |command: &[&str], listed: String| {
            let names: Vec<_> = listed.split_whitespace().filter(|name| *name != NET).collect();
            if names.is_empty() { Ok(()) } else { engine.ok(&[command, &names].concat()).map(drop) }
        };
        remove(&["rm", "-f"], engine.ok(&["ps", "-aq"])?)?;
        let networks = ["network", "ls", "--filter", "type=custom", "--format", "{{.Name}}"];
        remove(&["network", "rm"], engine.ok(&networks)?)
    }
}

impl Deref for Turn {
    type Target = Scene;

    fn deref(&self) -> &Scene {
        &self.scene
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        match self.clear() {
            Err(error) if !thread::panicking() => panic!("{error:#}"),
            Err(error) => eprintln!("{error:#}"),
            Ok(()) => {}
        }
    }
}
