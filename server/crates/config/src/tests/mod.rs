mod environment;
mod files;
mod layers;
mod load;
mod rbac;
mod reload;
mod stated;
