variable "greeting" {
  type    = string
  default = "Hello from Packer"
}

locals {
  stamp = regex_replace(timestamp(), "[- TZ:]", "")
}

data "amazon-ami" "base" {
  filters     = { name = "amzn-ami-pv-*-x86_64-s3" }
  owners      = ["amazon"]
  most_recent = true
}

source "amazon-instance" "web" {
  account_id       = "123456789012"
  region           = "us-east-1"
  source_ami       = data.amazon-ami.base.id
  instance_type    = "m3.medium"
  ssh_username     = "ec2-user"
  s3_bucket        = "acme-images/web"
  x509_upload_path = "/tmp"
  ami_name         = "web ${formatdate("YYYY-MM-DD", timestamp())} ${local.stamp}"
  ami_description  = var.greeting

  ami_block_device_mappings {
    device_name  = "/dev/sdb"
    virtual_name = "ephemeral0"
  }

  tag {
    key   = "team"
    value = "platform"
  }
}

build {
  sources = ["source.amazon-instance.web"]

  provisioner "shell" {
    script          = "${path.root}/scripts/install.sh"
    env             = { GREETING = var.greeting }
    execute_command = "{{.Vars}} sudo -E sh '{{.Path}}'"
  }

  provisioner "file" {
    source      = "${path.root}/motd"
    destination = "/tmp/"
  }

  provisioner "shell" {
    inline          = ["mv /tmp/motd /etc/motd"]
    execute_command = "{{.Vars}} sudo -E sh '{{.Path}}'"
  }
}
