# An application server, in HCL2.
packer {
  required_plugins {
    amazon = {
      source  = "github.com/hashicorp/amazon"
      version = ">= 1.2"
    }
  }
}

variable "release" {
  type        = string
  default     = "2026.11"
  description = "Release train"

  validation {
    condition     = length(var.release) > 4
    error_message = "Too short."
  }
}

variable "region" {
  default = "us-east-1"
}

variable "security_groups" {
  type    = list(string)
  default = ["sg-01234567"]
}

variable "debug" {
  type    = bool
  default = false
}

variable "commit" { default = env("GIT_COMMIT") }

variable "mirror_token" {
  type      = string
  sensitive = true
  default   = "CANARYtoken"
}

variable "access_key" {
  type    = string
  default = "AKIACANARYCANARYCANA"
}

locals {
  stamp  = regex_replace(timestamp(), "[- TZ:]", "")
  prefix = "app-${var.release}"
  name   = "${local.prefix}-${local.stamp}"
  tags = {
    team    = "platform"
    release = var.release
  }
}

local "secret" {
  expression = vault("secret/data/app", "key")
  sensitive  = true
}

data "amazon-ami" "base" {
  filters = {
    name                = "amzn-ami-pv-*-x86_64-s3"
    virtualization-type = "paravirtual"
  }
  owners      = ["amazon"]
  most_recent = true
  region      = var.region
}

source "amazon-instance" "app" {
  access_key = var.access_key
  secret_key = "CANARYsecret"
  account_id = "123456789012"
  region     = var.region

  source_ami         = data.amazon-ami.base.id
  instance_type      = "m3.medium"
  security_group_ids = var.security_groups
  user_data          = <<-EOT
    #!/bin/sh
      echo ${upper(var.release)} > /etc/release.txt
  EOT

  ssh_username = "ec2-user"
  ssh_timeout  = var.debug ? "30m" : "5m"

  s3_bucket      = "acme-images"
  x509_cert_path = "${path.root}/keys/cert.pem"
  x509_key_path  = "${path.root}/keys/pk.pem"

  ami_name        = local.name
  ami_description = join(", ", ["app", lower(var.release), formatdate("YYYY-MM-DD", timestamp())])

  ami_block_device_mappings {
    device_name  = "/dev/sdb"
    virtual_name = "ephemeral0"
  }
  ami_block_device_mappings {
    device_name  = "/dev/sdc"
    virtual_name = "ephemeral1"
  }

  run_tags = local.tags
  tag {
    key   = "release"
    value = var.release
  }
  dynamic "run_volume_tag" {
    for_each = local.tags
    content {
      key   = run_volume_tag.key
      value = run_volume_tag.value
    }
  }
}

source "amazon-ebs" "other" {
  ami_name = "other"
}

build {
  name    = "images"
  sources = ["source.amazon-instance.app", "source.amazon-ebs.other"]

  provisioner "shell" {
    inline = [
      "echo ${var.release} {{timestamp}}",
      "echo ${source.name} \"quoted\" $${HOME}",
    ]
    execute_command = "{{ .Vars }} sudo -E sh '{{ .Path }}'"
    env = {
      TOKEN  = var.mirror_token
      COMMIT = var.commit
    }
  }

  provisioner "shell" {
    only    = ["amazon-ebs.other"]
    scripts = ["other.sh"]
  }

  provisioner "file" {
    source      = "${path.root}/files/app.conf"
    destination = "/tmp/app.conf"
  }

  provisioner "file" {
    content     = templatefile("motd.tpl", { release = var.release })
    destination = "/etc/motd"
  }

  provisioner "shell" {
    scripts          = [for name in ["a", "b"] : "scripts/${name}.sh"]
    environment_vars = ["KEY=${local.secret}"]
  }

  post-processors {
    post-processor "manifest" {}
    post-processor "shell-local" {
      inline = ["true"]
    }
  }
}
