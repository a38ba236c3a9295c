export default {
  render({ model, el }) {
    const app = new ViewerApp(model, el);
    el.__beamkit = app; // for tests of what is on the screen
    return () => app.close();
  },
};
