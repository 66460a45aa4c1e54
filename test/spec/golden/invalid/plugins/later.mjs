export default { imgspec: 2, name: "later", provisioners: {} };
