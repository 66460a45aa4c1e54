export default { imgspec: 1, name: "empty", provisoners: {} };
